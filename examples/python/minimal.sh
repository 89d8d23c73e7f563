#!/usr/bin/env -S netext normalize --services none --shebang minimal.py
