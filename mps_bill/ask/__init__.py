"""Questions that use the pipeline: the same usage under other terms, a quick price, how a job was billed, which packs to buy."""
