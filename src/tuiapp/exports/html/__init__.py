"""What the HTML report is made of: text made safe, charts as plain data, tables, and its assets."""
