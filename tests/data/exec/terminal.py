# A person at a terminal: types into an interactive shell on a pseudo-terminal, line by line of the script, and shows what came back.
# Usage: terminal.py SHELL-COMMAND < SCRIPT. Lines of the script: `type TEXT`, `key C`, `until TEXT`, `end`.
import os, pty, re, select, sys, time

def main():
    script = sys.stdin.read().splitlines()
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    seen, at = b"", 0
    deadline = time.monotonic() + 90

    def fail(why):
        sys.stdout.write(seen.decode(errors="replace"))
        sys.stdout.write("\nFAILED: " + why + "\n")
        sys.exit(1)

    def more():
        nonlocal seen
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            fail("nothing comes")
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        seen += data
        return bool(data)

    for line in script:
        word, _, text = line.partition(" ")
        if word == "type":
            os.write(fd, text.encode() + b"\n")
        elif word == "key":
            os.write(fd, bytes([ord(text) - 64]))
        elif word == "until":
            while True:
                found = re.search(text.encode(), seen[at:])
                if found:
                    at += found.end()
                    break
                if not more():
                    fail("the end came before " + text)
        elif word == "end":
            while more():
                pass
    _, status = os.waitpid(pid, 0)
    sys.stdout.write(seen.decode(errors="replace"))
    sys.exit(os.waitstatus_to_exitcode(status))

main()
