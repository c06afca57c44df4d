type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address, by the rules of Go's net/http, which kubectl follows:
 * `HTTPS_PROXY` or `HTTP_PROXY` by scheme, in lower case too; `NO_PROXY` lists names, domains (`.example.com` or
 * `example.com`, both with what is below), addresses, CIDRs and `*`, each with a port or without. Loopback never goes
 * through one.
 */
export function proxyOf(address: string, environment: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(address);
  const scheme = protocol === "https:" ? "HTTPS" : "HTTP";
  const proxy = environment[`${scheme}_PROXY`] || environment[`${scheme.toLowerCase()}_proxy`];
  if (!proxy) return undefined;
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host)) return undefined;
  const rules = (environment["NO_PROXY"] || environment["no_proxy"] || "").split(",");
  const realPort = port === "" ? (scheme === "HTTPS" ? "443" : "80") : port;
  if (rules.some((rule) => matches(rule.trim().toLowerCase(), host, realPort))) return undefined;
  return /^[a-z0-9]+:\/\//.test(proxy) ? proxy : `http://${proxy}`;
}

function matches(rule: string, host: string, port: string): boolean {
  if (rule === "") return false;
  if (rule === "*") return true;
  const withPort = /^([^:]+|\[.+\]):(\d+)$/.exec(rule);
  if (withPort && withPort[2] !== port) return false;
  const name = (withPort?.[1] ?? rule).replace(/^\[|\]$/g, "");
  if (name.includes("/")) return inRange(name, host);
  const domain = name.replace(/^\*?\./, "");
  return host.endsWith(`.${domain}`) || (host === domain && (name === domain || name.startsWith("*")));
}

function inRange(cidr: string, host: string): boolean {
  const [base = "", bits = ""] = cidr.split("/");
  const wanted = ipv4(base);
  const given = ipv4(host);
  const length = Number(bits);
  if (wanted === undefined || given === undefined || !(length >= 0 && length <= 32)) return false;
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  return (wanted & mask) >>> 0 === (given & mask) >>> 0;
}

function ipv4(text: string): number | undefined {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4 || !parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
