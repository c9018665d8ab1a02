"""``python -m atomscope``."""

import sys

from ._cli import main

sys.exit(main())
