import type { DocumentHandler } from "../http/documents.ts";
import { send } from "../http/respond.ts";
import { tokenIssuer, type ServiceAccountTokens } from "./service-account-tokens.ts";

/** What others need to check ServiceAccount tokens by themselves (OpenID Connect discovery). */
export function keyDocuments(tokens: ServiceAccountTokens): DocumentHandler {
  return (path, _request, response) => {
    switch (path) {
      case "/openid/v1/jwks":
        send(response, 200, JSON.stringify(tokens.keySet()), "application/jwk-set+json");
        return true;
      case "/.well-known/openid-configuration":
        send(
          response,
          200,
          JSON.stringify({
            issuer: tokenIssuer,
            jwks_uri: `${tokenIssuer}/openid/v1/jwks`,
            response_types_supported: ["id_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["ES256"],
          }),
        );
        return true;
      default:
        return false;
    }
  };
}
