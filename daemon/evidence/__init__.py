"""Evidence for others: appeal packs, anchors, and the check that nothing was altered, removed or rewritten."""
