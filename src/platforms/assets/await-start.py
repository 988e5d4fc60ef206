# Waits until the application answers HTTP on its port and the instance listens where the load balancer asks, or until it
# is plain that it will not.
# Exit 0: started. Otherwise the log's last lines and then facts, one a line, that explain-start.ts puts into words.
# The facts come last because only the end of the output is kept.
import json
import os
import socket
import sys
import time

# Where the load balancer asks: nginx listens here, or without a proxy the application itself.
PUBLIC_PORT = 80
NGINX_LOG = "/var/log/nginx/error.log"
START = "/opt/elasticbeanstalk/deployment/start.json"
DEATHS_MAX = 3
# An application that listens elsewhere for this long will not come to its own port.
ELSEWHERE_SECONDS = 10
LOG_LINES = 50
LOG_BYTES = 6000
COMMAND_LENGTH_MAX = 1000
PROBE_SECONDS = 5
PAUSE_SECONDS = 0.05


def answers(port):
    """Any HTTP answer counts, whatever its status: that is for the load balancer's health check to judge."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PROBE_SECONDS) as connection:
            request = f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: polebean-start\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            head = b""
            while len(head) < 5:
                chunk = connection.recv(64)
                if not chunk:
                    return "closed"
                head += chunk
            return "started" if head.startswith(b"HTTP/") else "no-http"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silent"


def listening():
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        ports |= {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}
    return ports


def deaths(name):
    try:
        with open(f"/run/polebean/{name}.deaths", encoding="ascii") as file:
            return int(file.read() or 0)
    except (OSError, ValueError):
        return 0


def tail(path):
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return f"(there is no {path})\n"
    return "".join(line + "\n" for line in text.splitlines()[-LOG_LINES:])


def fail(name, command, log=None, **facts):
    log = log or f"/var/log/{name}.stdout.log"
    print(f"Last lines of {log}:")
    print(tail(log), end="")
    facts.update(process=name, command=command.replace("\n", " ")[:COMMAND_LENGTH_MAX])
    for key, value in facts.items():
        print(f"[await-start] {key}={value}")
    sys.exit(1)


def main(timeout):
    with open(START, encoding="utf-8") as file:
        start = json.load(file)
    port, processes = start["port"], dict(start["processes"])
    web = next(iter(processes))
    ended = {name: deaths(name) for name in processes}
    until = time.monotonic() + timeout
    elsewhere_since = None
    outcome = "refused"
    while time.monotonic() < until:
        if outcome != "started":
            outcome = answers(port)
        ports = listening()
        if outcome == "started" and PUBLIC_PORT in ports:
            return
        for name in processes:
            if deaths(name) - ended[name] >= DEATHS_MAX:
                fail(name, processes[name], outcome="died", port=port)
        others = ports - {port, PUBLIC_PORT}
        if outcome != "refused" or not others:
            elsewhere_since = None
        elif elsewhere_since is None:
            elsewhere_since = time.monotonic()
        elif time.monotonic() - elsewhere_since > ELSEWHERE_SECONDS:
            fail(web, processes[web], outcome="elsewhere", port=port, listening=",".join(map(str, sorted(others))))
        time.sleep(PAUSE_SECONDS)
    if outcome == "started":
        fail("nginx", "nginx", log=NGINX_LOG, outcome="proxy", port=PUBLIC_PORT, seconds=round(timeout))
    others = ",".join(map(str, sorted(listening() - {port, PUBLIC_PORT})))
    fail(web, processes[web], outcome=outcome, port=port, listening=others, seconds=round(timeout))


main(float(sys.argv[1]))
