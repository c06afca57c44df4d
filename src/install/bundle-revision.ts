/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 9;

/** Of what that revision counts. */
export const bundleDigest = "a44592c98ebcc5eb";
