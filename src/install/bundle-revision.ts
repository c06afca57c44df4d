/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 5;

/** Of what that revision counts. */
export const bundleDigest = "28ef54b8280c8917";
