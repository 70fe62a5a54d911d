"""A plugin that does, when asked, everything a plugin should not; and one beside it that does its work."""

from pathlib import Path

from support.plugins import distribution

SECRET = "13800138000"
"""What must not be shown, whatever happens."""

DEEDS = f'''
import os, re, signal, subprocess, sys, threading, time, ctypes, locale

def raises(): raise RuntimeError("{SECRET}")
def raises_strangely(): raise BaseException("{SECRET}")
def exits(): raise SystemExit(4)
def interrupts(): raise KeyboardInterrupt
def recurses(): return recurses()
def vanishes(): os._exit(0)
def kills_itself(): os.kill(os.getpid(), signal.SIGKILL)
def segfaults(): ctypes.string_at(0)
def aborts(): os.abort()
def stops_itself(): os.kill(os.getpid(), signal.SIGSTOP)
def sleeps(): time.sleep(600)
def spins():
    while True:
        pass
def holds_the_interpreter(): re.match(r"(a+)+$", "a" * 64 + "b")
def ignores_signals():
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(600)
def eats_memory():
    eaten = []
    while True:
        eaten.append(bytearray(1 << 26))
def closes_everything():
    os.closerange(0, 256)
    time.sleep(600)
def writes_into_the_line():
    for number in range(3, 64):
        try:
            os.write(number, b"\\xff" * 64)
        except OSError:
            pass
    time.sleep(600)
def floods(): print("{SECRET} " * 200_000)
def leaves_a_thread(): threading.Thread(target=spins, daemon=True).start()
def leaves_a_child(): subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def soils_the_process():
    os.chdir("/")
    os.environ.clear()
    sys.path.clear()
    sys.modules.pop("json", None)
    sys.setrecursionlimit(60)
def returns_nothing(): return None
def returns_a_stranger(): return object()
'''

ENDLESS = {"stops_itself", "sleeps", "spins", "holds_the_interpreter", "ignores_signals", "closes_everything",
           "writes_into_the_line"}  # fmt: skip
"""Those that end only when they are ended."""

HARMLESS = {"floods", "leaves_a_thread", "leaves_a_child", "soils_the_process"}
"""Those after which the work is done all the same; what they leave behind harms nobody."""

NAMES = tuple(line.removeprefix("def ").partition("(")[0] for line in DEEDS.splitlines() if line.startswith("def "))

PLUGIN = '''
from hcrm_core.api import Adapter, Patient, RawMessage, Report, Statement, Strategy, Translation, hookimpl
import deeds

class Adapted(Adapter):
    """One message a line; a line that begins with "!" names a deed."""

    name = "{name}"
    version = "7"
    file_suffixes = (".{name}",)

    def split(self, data, name):
        for line in data.splitlines():
            yield RawMessage(line, line.decode("utf-8"))

    def translate(self, payload):
        word = payload.decode("utf-8")
        done = getattr(deeds, word[1:])() if word.startswith("!") else 1
        if word[1:].startswith("returns_"):
            return done
        return Translation("{name}", Statement(len(word)), (Patient(key=word),))

@hookimpl
def register_adapters():
    return [Adapted]

SQL = "SELECT 'c' AS subject, 's' AS segment, ['customer/c#sex'] AS evidence"

@hookimpl
def register_strategies(workspace):
    return [
        Strategy(name=f"{name}.{{deed}}", version="1", kind="segment", scope="all", tables=(), sql=SQL,
                 function=f"fake_plugin_{name}:{{deed}}_function")
        for deed in {deeds}
    ]

def __getattr__(called):
    deed = called.removesuffix("_function")
    if deed == called:
        raise AttributeError(called)
    def function(table, parameters):
        done = getattr(deeds, deed)() if deed != "works" else None
        return done if deed.startswith("returns_") else table
    return function

def report(deed):
    class Made(Report):
        name = f"{name}.{{deed}}"
        title = {{"en": deed, "zh": deed}}
        suffix = ".txt"
        def render(self, rows, context):
            done = getattr(deeds, deed)() if deed != "works" else None
            return done if deed.startswith("returns_") else b"done"
    return Made

@hookimpl
def register_reports():
    return [report(deed) for deed in {deeds}]
'''


def install(site: Path) -> None:
    """Write the plugins `odd`, which misbehaves, and `even`, which works, into a folder on the path."""
    distribution(site, "odd", PLUGIN.format(name="odd", deeds=list(NAMES)))
    distribution(site, "even", PLUGIN.format(name="even", deeds=["works"]))
    (site / "deeds.py").write_text(DEEDS, encoding="utf-8")
