/** Between the JSON of the server and what the browser's authenticators speak: bytes as base64url. */

type Json = Readonly<Record<string, unknown>>;

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function textOf(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Shows a passkey of whoever is here; the answer as the server reads it. */
export async function showPasskey(told: Json): Promise<Json> {
  const options = told as Json & { allowCredentials?: readonly Json[] };
  const shown = (await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytesOf(String(options.challenge)),
      allowCredentials: (options.allowCredentials ?? []).map((one) => ({ ...one, id: bytesOf(String(one.id)) })),
    } as unknown as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential;
  const response = shown.response as AuthenticatorAssertionResponse;
  return {
    id: shown.id,
    rawId: textOf(shown.rawId),
    type: shown.type,
    clientExtensionResults: shown.getClientExtensionResults(),
    response: {
      clientDataJSON: textOf(response.clientDataJSON),
      authenticatorData: textOf(response.authenticatorData),
      signature: textOf(response.signature),
      userHandle: response.userHandle ? textOf(response.userHandle) : null,
    },
  };
}

/** Makes a passkey; the answer as the server reads it. Rejects when the person or the device declines. */
export async function makePasskey(told: Json): Promise<Json> {
  const options = told as Json & { user: Json; excludeCredentials?: readonly Json[] };
  const made = (await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytesOf(String(options.challenge)),
      user: { ...options.user, id: bytesOf(String(options.user.id)) },
      excludeCredentials: (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytesOf(String(one.id)) })),
    } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    rawId: textOf(made.rawId),
    type: made.type,
    clientExtensionResults: made.getClientExtensionResults(),
    response: { clientDataJSON: textOf(response.clientDataJSON), attestationObject: textOf(response.attestationObject), transports: response.getTransports?.() ?? [] },
  };
}
