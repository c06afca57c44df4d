import type { AWSS3 } from "../../api/sources/types-v1alpha1.gen.ts";
import {
  AwsError,
  nameInArn,
  xmlElements,
  xmlText,
  type AwsAnswer,
  type AwsRequest,
  type AwsService,
} from "./aws-service.ts";

export interface S3Object {
  readonly key: string;
  readonly etag: string;
}

export interface S3Bucket {
  readonly name: string;
  put(
    key: string,
    body: Uint8Array,
    options: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<void>;
  get(key: string, signal: AbortSignal): Promise<AwsAnswer>;
  list(options: {
    readonly prefix: string;
    readonly max: number;
    readonly after: string;
    readonly signal: AbortSignal;
  }): Promise<readonly S3Object[]>;
  remove(key: string, signal: AbortSignal): Promise<void>;
  copy(key: string, to: { readonly bucket: string; readonly key: string }, signal: AbortSignal): Promise<void>;
}

/** The bucket is made when it is missing and `autoCreateBucket` says so. Its name stands in the path. */
export function openBucket(settings: AWSS3, service: AwsService): S3Bucket {
  const name = nameInArn(settings.arn ?? "");
  const pathOf = (key: string, bucket = name): string => `/${bucket}/${key.split("/").map(encodeKey).join("/")}`;
  const send = async (request: AwsRequest): Promise<AwsAnswer> => {
    try {
      return await service.send(request);
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "NoSuchBucket" || !settings.autoCreateBucket) throw error;
      await service.send({
        method: "PUT",
        path: `/${name}`,
        body: constraint(settings.region),
        signal: request.signal,
      });
      return service.send(request);
    }
  };
  return {
    name,
    async put(key, body, { headers, signal }) {
      await send({ method: "PUT", path: pathOf(key), headers, body, signal });
    },
    get: (key, signal) => send({ method: "GET", path: pathOf(key), signal }),
    async list({ prefix, max, after, signal }) {
      const query = new URLSearchParams({
        "list-type": "2",
        "encoding-type": "url",
        "max-keys": String(max),
        ...(prefix ? { prefix } : {}),
        ...(after ? { "start-after": after } : {}),
      });
      const { body } = await send({ method: "GET", path: `/${name}?${query.toString()}`, signal });
      return xmlElements(body.toString("utf8"), "Contents").map((entry) => ({
        key: decodeURIComponent((xmlText(entry, "Key") ?? "").replaceAll("+", "%20")),
        etag: (xmlText(entry, "ETag") ?? "").replaceAll('"', ""),
      }));
    },
    async remove(key, signal) {
      await send({ method: "DELETE", path: pathOf(key), signal });
    },
    async copy(key, to, signal) {
      const headers = { "x-amz-copy-source": pathOf(key) };
      await send({ method: "PUT", path: pathOf(to.key, to.bucket), headers, signal });
    },
  };
}

/** Every region but the first wants to be named in the bucket. */
const constraint = (region: string | undefined): string =>
  region === undefined || region === "us-east-1"
    ? ""
    : `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;

const encodeKey = (part: string): string =>
  encodeURIComponent(part).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
