"""``python -m tuiapp``."""

import sys

from tuiapp.cli import main

sys.exit(main())
