"""A guestbook: visitors leave a line, and see which instance answered them."""
import os
import socket
import sqlite3
from datetime import datetime, timezone

from flask import Flask, redirect, render_template, request, url_for

LINES_SHOWN = 50
NAME_LENGTH_MAX = 40
TEXT_LENGTH_MAX = 280

# Each instance keeps its own book: share one by pointing GUESTBOOK_FILE at a shared place, or use a database.
DATABASE = os.environ.get("GUESTBOOK_FILE", "/tmp/guestbook.sqlite3")

application = Flask(__name__)


def connect():
    connection = sqlite3.connect(DATABASE, timeout=5)
    connection.row_factory = sqlite3.Row
    connection.execute("create table if not exists line (at text not null, name text not null, text text not null)")
    return connection


@application.get("/")
def book():
    connection = connect()
    try:
        lines = connection.execute("select * from line order by rowid desc limit ?", (LINES_SHOWN,)).fetchall()
    finally:
        connection.close()
    return render_template(
        "book.html",
        greeting=os.environ.get("GREETING", "Hello from Elastic Beanstalk on your own machine"),
        instance=socket.gethostname(),
        lines=lines,
    )


@application.post("/")
def sign():
    name = request.form.get("name", "").strip()[:NAME_LENGTH_MAX] or "somebody"
    text = request.form.get("text", "").strip()[:TEXT_LENGTH_MAX]
    if text:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        connection = connect()
        try:
            with connection:
                connection.execute("insert into line values (?, ?, ?)", (now, name, text))
        finally:
            connection.close()
    return redirect(url_for("book"))


@application.get("/whoami")
def whoami():
    """For scripts: which instance answered, and with which greeting."""
    return {"instance": socket.gethostname(), "greeting": os.environ.get("GREETING")}


if __name__ == "__main__":
    application.run(port=int(os.environ.get("PORT", "8000")))
