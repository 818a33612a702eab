"""``python -m tuiapp.cli``."""

import sys

from tuiapp.cli import main

sys.exit(main())
