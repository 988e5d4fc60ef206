#!/bin/sh
# User data of a database instance: PostgreSQL from the host's packages as a service of the instance, its data on the
# instance's disk. Runs once, at the first boot; the service comes up again at each one.
set -eu
password=change-me
data=/var/lib/postgresql/data
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

echo 'postgres:x:902:' >>/etc/group
echo 'postgres:x:902:902:PostgreSQL:/var/lib/postgresql:/bin/sh' >>/etc/passwd
install -d -m 0700 -o postgres -g postgres /var/lib/postgresql
install -m 0600 -o postgres -g postgres /dev/null /var/lib/postgresql/password
echo "$password" >/var/lib/postgresql/password
chpst -u postgres "$bin/initdb" -D "$data" -U guestbook --pwfile=/var/lib/postgresql/password \
  --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
rm /var/lib/postgresql/password
# Who may connect at all is said by the instance's security groups.
echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '*'
unix_socket_directories = '/tmp'
CONF

service=/etc/service/.postgres
mkdir -p "$service/control"
cat >"$service/run" <<RUN
#!/bin/sh
exec >>/var/log/postgres.log 2>&1
exec chpst -u postgres $bin/postgres -D $data
RUN
# INT ends it at once, with all that is committed; TERM would wait for every client to go.
cat >"$service/control/t" <<STOP
#!/bin/sh
exec kill -INT "\$(head -n 1 $data/postmaster.pid)"
STOP
chmod 0755 "$service/run" "$service/control/t"
mv "$service" /etc/service/postgres
