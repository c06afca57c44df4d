/** Always for an image without a tag or with `latest`, else IfNotPresent (Kubernetes core/v1 defaults.go). */
export function defaultImagePullPolicy(image: string): "Always" | "IfNotPresent" {
  const name = image.slice(image.lastIndexOf("/") + 1);
  const [repository = "", digest] = name.split("@", 2);
  const tag = repository.split(":", 2)[1];
  if (tag === undefined) return digest === undefined ? "Always" : "IfNotPresent";
  return tag === "latest" ? "Always" : "IfNotPresent";
}
