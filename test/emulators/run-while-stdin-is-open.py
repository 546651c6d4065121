"""Runs a Python module that ends, with all that it started, when whoever holds this process's stdin ends or closes it.

usage: run-while-stdin-is-open.py MODULE, as the leader of a process group
"""

import os
import runpy
import signal
import sys
import threading


def end_with_stdin():
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_stdin, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
