"""`python -m daemon` is `forestall`."""

from daemon.cli import main

if __name__ == "__main__":
    main()
