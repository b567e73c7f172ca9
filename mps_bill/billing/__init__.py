"""Line items to bills: one per product and cycle, with its issue time and the cut to money."""
