"""The evaluation sheet (評価表) on paper: one arrangement of blocks, from which page, Excel, CSV and JSON are made."""
