"""What kind of machine this is, told from its files and its CPU, with evidence."""
