"""Runs a command in a pseudo-terminal: terminal.py <columns> <command> …

What is typed comes from standard input, what the terminal shows goes to standard output; the exit code is the command's.
"""
import fcntl, os, pty, select, struct, sys, termios

columns = int(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
typing = [0]
while True:
    ready, _, _ = select.select([terminal, *typing], [], [])
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:  # Linux says so that nobody has the terminal open any more
            break
        if not shown:
            break
        os.write(1, shown)
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(terminal, typed)
        else:
            typing = []
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
