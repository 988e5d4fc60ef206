"""A guestbook in PostgreSQL: all instances write into one book."""
import os
import socket

import psycopg
from flask import Flask, redirect, render_template, request, url_for
from psycopg.conninfo import make_conninfo

LINES_SHOWN = 50
TEXT_LENGTH_MAX = 280
CONNECT_TIMEOUT_S = 2


class NotConfigured(Exception):
    """No environment property says where the database is."""


NO_DATABASE = (NotConfigured, psycopg.OperationalError)

application = Flask(__name__)


def conninfo():
    """Where the database is: DATABASE_URL, or the properties that Elastic Beanstalk sets for a database of its own."""
    url = os.environ.get("DATABASE_URL")
    if url:
        return make_conninfo(url, connect_timeout=CONNECT_TIMEOUT_S)
    if "RDS_HOSTNAME" not in os.environ:
        raise NotConfigured("neither DATABASE_URL nor RDS_HOSTNAME is set")
    return make_conninfo(
        host=os.environ["RDS_HOSTNAME"],
        port=os.environ.get("RDS_PORT", "5432"),
        dbname=os.environ.get("RDS_DB_NAME", "postgres"),
        user=os.environ["RDS_USERNAME"],
        password=os.environ["RDS_PASSWORD"],
        connect_timeout=CONNECT_TIMEOUT_S,
    )


def connect():
    """A new connection each time: who is not let in any more is seen at once. A pool is for larger applications."""
    connection = psycopg.connect(conninfo())
    connection.execute(
        "create table if not exists line (id bigint generated always as identity primary key, "
        "at timestamptz not null default now(), instance text not null, text text not null)"
    )
    return connection


def read_lines():
    with connect() as connection:
        return connection.execute(
            "select text, instance, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') from line order by id desc limit %s",
            (LINES_SHOWN,),
        ).fetchall()


@application.get("/")
def book():
    """Answers also while its database does not, so that the load balancer keeps the instance."""
    try:
        lines, closed = read_lines(), False
    except NO_DATABASE as error:
        application.logger.error("no database: %r", error)
        lines, closed = [], True
    return render_template("book.html", instance=socket.gethostname(), lines=lines, closed=closed)


@application.get("/lines")
def lines():
    """For scripts: what is in the book, the newest first."""
    return [text for text, _instance, _at in read_lines()]


@application.post("/")
def sign():
    text = request.form.get("text", "").strip()[:TEXT_LENGTH_MAX]
    if text:
        with connect() as connection:
            connection.execute("insert into line (instance, text) values (%s, %s)", (socket.gethostname(), text))
    return redirect(url_for("book"))


def without_database(error):
    application.logger.error("no database: %r", error)
    return "The guestbook cannot reach its database.\n", 503


for kind in NO_DATABASE:
    application.register_error_handler(kind, without_database)


if __name__ == "__main__":
    application.run(port=int(os.environ.get("PORT", "8000")))
