/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 7;

/** Of what that revision counts. */
export const bundleDigest = "919c80d8383ad696";
