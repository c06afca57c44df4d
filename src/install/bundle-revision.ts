/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 8;

/** Of what that revision counts. */
export const bundleDigest = "d2f26688fbf6c4b5";
