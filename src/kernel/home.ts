// A home is one installation: its folder, and the names, ids and ports that it once chose and keeps.
export type Home = {
  /** Six of [a-z0-9], drawn at first start. Every name outside the folder is derived from it (two homes, one machine). */
  id: string
  /** Where everything that must survive lies, e.g. /var/lib/polebean. */
  dir: string
  /** Sockets, mounts, bundles: `/run/polebean/<id>`; gone after a reboot (HAProxy refuses socket paths above 97 bytes). */
  runDir: string
  /** First of the 65,536 user ids that the home's instances share. */
  idBase: number
  /** Range of VPC addresses, free of the machine's routes when it was chosen. */
  cidr: string
  ports: {
    /** The AWS API, on loopback. */
    api: number
    /** Where the public listener of port 80 really listens: 80, or 8080 when that is taken. */
    http: number
    /** First of the loopback ports that environments get, one each. */
    environments: number
    /** The name server, on loopback; its API has the port after it. */
    dns: number
  }
}
