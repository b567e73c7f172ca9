"""Problems of price sheets in the formats that people, editors and CI servers read."""
