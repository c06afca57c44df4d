import { packageOf, type Package } from "./package.ts";

/** Lock files whose packages are known, by name. */
export const lockFiles: Readonly<Record<string, (text: string) => readonly Package[]>> = {
  "package-lock.json": npmPackages,
  "go.mod": goPackages,
  "Cargo.lock": cargoPackages,
  "requirements.txt": pythonPackages,
};

/** Versions 2 and 3, without what only development needs. */
function npmPackages(text: string): readonly Package[] {
  let lock: { readonly packages?: Readonly<Record<string, NpmEntry>> };
  try {
    lock = JSON.parse(text) as typeof lock;
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  return Object.entries(lock.packages ?? {}).flatMap(([path, { name, version, dev, link }]) => {
    const at = path.lastIndexOf("node_modules/");
    if (at < 0 || dev === true || link === true || version === undefined) return [];
    return packageOf("npm", name ?? path.slice(at + "node_modules/".length), version);
  });
}

interface NpmEntry {
  readonly name?: string;
  readonly version?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

function goPackages(text: string): readonly Package[] {
  const blocks = [...text.matchAll(/^require\s*\(([^)]*)\)/gm)].map(([, body = ""]) => body);
  const single = [...text.matchAll(/^require\s+([^\s(]+\s+v\S+)/gm)].map(([, line = ""]) => line);
  return [...blocks, ...single].flatMap((body) =>
    [...body.matchAll(/^\s*([^\s/][^\s]*)\s+(v[^\s/]+)/gm)].map(([, name = "", version = ""]) =>
      packageOf("golang", name, version),
    ),
  );
}

function cargoPackages(text: string): readonly Package[] {
  return text.split(/^\[\[package\]\]$/m).flatMap((block) => {
    const name = /^name = "(.+)"$/m.exec(block)?.[1];
    const version = /^version = "(.+)"$/m.exec(block)?.[1];
    // The project itself comes from nowhere.
    const fromElsewhere = /^source = /m.test(block);
    return name === undefined || version === undefined || !fromElsewhere ? [] : packageOf("cargo", name, version);
  });
}

/** Only what is pinned: of a range nobody knows what was taken. */
function pythonPackages(text: string): readonly Package[] {
  return [...text.matchAll(/^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;#,]+)/gm)].map(
    ([, name = "", version = ""]) => packageOf("pypi", name, version),
  );
}
