"""``python -m labtrust`` is the program."""

from labtrust.program import main

raise SystemExit(main())
