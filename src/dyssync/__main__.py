"""`python -m dyssync`."""

import sys

from dyssync.cli import main

sys.exit(main())
