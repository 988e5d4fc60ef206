// nginx.conf of an instance, after the one of AWS's platforms on Amazon Linux 2023.
import { APP_DIR } from '../plan.ts'

export type NginxModel = {
  /** Where the application listens on 127.0.0.1. */
  port: number
  /** URL path (`/static`) → folder of the bundle (`static`). */
  staticFiles: Record<string, string>
}

export type NginxResult = { kind: 'conf'; conf: string } | { kind: 'problem'; problem: string }

/** Refuses URL paths and folders that could mean something else to nginx than a path. */
export function nginxConf({ port, staticFiles }: NginxModel): NginxResult {
  const locations: string[] = []
  for (const [urlPath, folder] of Object.entries(staticFiles)) {
    const url = urlPath.replace(/(.)\/+$/, '$1')
    const path = folder.replace(/^\/+|\/+$/g, '')
    if (!/^\/[A-Za-z0-9._~/-]*$/.test(url))
      return problem(`Static files: '${urlPath}' is not a URL path that starts with '/'.`)
    if (!/^[A-Za-z0-9._-][A-Za-z0-9._/ -]*$/.test(path) || path.split('/').includes('..')) {
      return problem(`Static files: '${folder}' is not a folder of the bundle.`)
    }
    locations.push(staticLocation(url, `${APP_DIR}/${path}`))
  }
  return { kind: 'conf', conf: render(port, locations) }
}

const problem = (sentence: string): NginxResult => ({ kind: 'problem', problem: sentence })

// A prefix with its slash, so that /static does not also serve /staticfiles; for `/` there is nothing to proxy.
const staticLocation = (url: string, path: string) => `
    location ${url === '/' ? '/' : `${url}/`} {
      alias "${path}/";
      access_log off;
    }`

// Difference from AWS: the Host header keeps its port ($host would lose it), since environments are also reached on other
// ports than 80, where absolute redirects and checks of the Origin header need it.
// Upstream connections are kept for less than gunicorn's 2 s, so that nginx never writes into one that is being closed.
const render = (port: number, staticLocations: string[]) => `user nginx;
worker_processes 1;
pid /run/nginx/nginx.pid;
error_log /var/log/nginx/error.log warn;

events {
  worker_connections 2048;
}

http {
  default_type application/octet-stream;
  types {
${mimeTypes()}
  }

  log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                  '$status $body_bytes_sent "$http_referer" '
                  '"$http_user_agent" "$http_x_forwarded_for"';
  log_format healthd '$msec"$uri"'
                     '$status"$request_time"$upstream_response_time"'
                     '$http_x_forwarded_for';

  client_body_temp_path /run/nginx/body;
  proxy_temp_path /run/nginx/proxy;
  fastcgi_temp_path /run/nginx/fastcgi;
  uwsgi_temp_path /run/nginx/uwsgi;
  scgi_temp_path /run/nginx/scgi;

  sendfile on;
  tcp_nopush on;
  server_tokens off;
  open_log_file_cache max=8;

  map $http_upgrade $connection_upgrade {
    default "upgrade";
    '' '';
  }

  map $http_host $forwarded_host {
    default $http_host;
    '' $host;
  }

  upstream application {
    server 127.0.0.1:${port} max_fails=0;
    keepalive 64;
    keepalive_timeout 1s;
  }

  server {
    listen 80 default_server backlog=4096;
    server_name localhost;
    root ${APP_DIR};

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
${proxyUnlessStatic(staticLocations)}
  }
}
`

const proxyUnlessStatic = (staticLocations: string[]) => {
  const ofRoot = staticLocations.some((location) => location.includes('location / {'))
  return [ofRoot ? '' : PROXY_LOCATION, ...staticLocations].join('\n')
}

const PROXY_LOCATION = `
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $forwarded_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }`

const MIME_TYPES: Record<string, string> = {
  'text/html': 'html htm shtml',
  'text/css': 'css',
  'text/plain': 'txt',
  'text/xml': 'xml',
  'text/markdown': 'md',
  'text/csv': 'csv',
  'application/javascript': 'js mjs',
  'application/json': 'json map',
  'application/manifest+json': 'webmanifest',
  'application/rss+xml': 'rss',
  'application/atom+xml': 'atom',
  'application/pdf': 'pdf',
  'application/wasm': 'wasm',
  'application/zip': 'zip',
  'image/png': 'png',
  'image/jpeg': 'jpeg jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/svg+xml': 'svg svgz',
  'image/x-icon': 'ico',
  'font/woff': 'woff',
  'font/woff2': 'woff2',
  'font/ttf': 'ttf',
  'font/otf': 'otf',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
}

const mimeTypes = () =>
  Object.entries(MIME_TYPES)
    .map(([type, extensions]) => `    ${type} ${extensions};`)
    .join('\n')
