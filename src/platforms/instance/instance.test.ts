import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { run } from '../../kernel/process.ts'
import { instanceFiles, type InstanceModel } from './instance-files.ts'
import { nginxConf } from './nginx-conf.ts'
import { processService, quote } from './services.ts'

describe('nginx.conf', () => {
  it('listens on 80, proxies to the application and serves static folders', () => {
    const result = nginxConf({
      port: 8123,
      staticFiles: { '/static': 'static', '/media/': '/shop/my media/' },
    })
    assert.ok(result.kind === 'conf')
    const server = result.conf.slice(result.conf.indexOf('  upstream'))
    assert.equal(server, GOLDEN)
  })

  it('leaves nothing to the application when the root is static', () => {
    const result = nginxConf({ port: 8000, staticFiles: { '/': 'public' } })
    assert.ok(result.kind === 'conf')
    assert.match(result.conf, /location \/ \{\n +alias "\/var\/app\/current\/public\/";/)
    assert.doesNotMatch(result.conf, /proxy_pass/)
  })

  const wrong: Record<string, string>[] = [
    { '/a b': 'x' },
    { '/a;': 'x' },
    { static: 'x' },
    { '/x': '../../etc' },
    { '/x': 'a"; } evil {' },
    { '/x': 'a\nb' },
    { '/x': '' },
    { '/$uri': 'x' },
  ]
  for (const staticFiles of wrong) {
    it(`refuses ${JSON.stringify(staticFiles)}`, () =>
      assert.equal(nginxConf({ port: 80, staticFiles }).kind, 'problem'))
  }
})

const GOLDEN = `  upstream application {
    server 127.0.0.1:8123 max_fails=0;
    keepalive 64;
    keepalive_timeout 1s;
  }

  server {
    listen 80 default_server backlog=4096;
    server_name localhost;
    root /var/app/current;

    client_header_timeout 60;
    client_body_timeout 60;
    keepalive_timeout 75;
    keepalive_requests 100000;
    gzip off;
    gzip_comp_level 4;
    gzip_types text/plain text/css application/json application/javascript application/x-javascript text/xml application/xml application/xml+rss text/javascript;

    access_log /var/log/nginx/access.log main;
    if ($time_iso8601 ~ "^(\\d{4})-(\\d{2})-(\\d{2})T(\\d{2})") {
      set $healthd_hour $1-$2-$3-$4;
    }
    access_log /var/log/nginx/healthd/application.log.$healthd_hour healthd;

    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $forwarded_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }

    location /static/ {
      alias "/var/app/current/static/";
      access_log off;
    }

    location /media/ {
      alias "/var/app/current/shop/my media/";
      access_log off;
    }
  }
}
`

describe('the service of a process', () => {
  const runOf = (command: string, env: Record<string, string> = {}) =>
    processService({ name: 'web', command }, env).find((file) => file.path.endsWith('/run'))?.content ?? ''

  it('quotes whatever a property holds, so that the shell sees it as it is', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'services-test-'))
    const values = [`it's`, '$(id)', '`id`', 'a\nb', ' x  ', '"', '\\', "''"]
    writeFileSync(join(dir, 'echo.sh'), values.map((value) => `printf '%s|' ${quote(value)}\n`).join(''))
    const { stdout } = await run(['/bin/sh', join(dir, 'echo.sh')])
    rmSync(dir, { recursive: true })
    assert.equal(stdout.toString(), values.map((value) => `${value}|`).join(''))
  })

  it('is readable by root alone, because it holds the environment', () => {
    for (const file of processService({ name: 'web', command: 'x' }, { SECRET: 'x' }))
      assert.equal(file.mode, 0o700)
  })

  it('starts a plain command without a shell in front of it, and leaves every other one to the shell', () => {
    for (const plain of ['gunicorn app:app', 'node server.js --port $PORT', './run']) {
      assert.ok(runOf(plain).includes(`/bin/sh -c 'exec ${plain}'`), plain)
    }
    for (const shell of [
      'cd x && node y',
      'A=1 node x',
      'exec x',
      'a; b',
      'ulimit -n 5',
      'a | b',
      'a > b',
      '(a)',
      '$CMD',
    ]) {
      assert.ok(runOf(shell).includes(`/bin/sh -c '${shell}'`), shell)
    }
  })
})

describe('the files of an instance', () => {
  const model: InstanceModel = {
    processes: [{ name: 'web', command: 'x' }],
    env: { A: 'b' },
    properties: { A: 'b' },
    port: 8000,
    proxyServer: 'nginx',
    staticFiles: {},
  }
  const paths = (more: Partial<InstanceModel>) => {
    const result = instanceFiles({ ...model, ...more })
    assert.ok(result.kind === 'files')
    return result.files.map((file) => file.path)
  }

  it('have nginx unless ProxyServer is none', () => {
    assert.ok(paths({}).includes('/etc/nginx/nginx.conf'))
    assert.deepEqual(
      paths({ proxyServer: 'none' }).filter((path) => path.includes('nginx')),
      [],
    )
  })

  it('refuse a property that cannot be an environment variable', () => {
    const wrong: Record<string, string>[] = [{ 'a/b': 'x' }, { '1A': 'x' }, { '': 'x' }, { A: 'a\0b' }]
    for (const env of wrong) {
      assert.equal(instanceFiles({ ...model, env }).kind, 'problem')
    }
  })
})
