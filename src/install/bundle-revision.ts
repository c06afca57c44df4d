/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 4;

/** Of what that revision counts. */
export const bundleDigest = "a2e4d31e098a461a";
