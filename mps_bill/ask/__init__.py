"""Questions asked of the pipeline: the same usage otherwise, a quick price, how a job became money, which packs to buy."""
