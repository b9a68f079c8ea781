import type { Route } from "../routes";

/** What happens to one of the credentials with which the collectors write. */
export interface CredentialChange {
    readonly operation: "made" | "kept" | "revoked";
    readonly what: string;
}

/** The credentials that the program makes and revokes, or reads. */
export function credentialChanges(from: Route, to: Route): CredentialChange[] {
    const [before, after] = [credentialsOf(from), credentialsOf(to)];
    return [
        ...after.map((what) => ({ operation: before.includes(what) ? "kept" : "made", what }) as const),
        ...before.filter((what) => !after.includes(what)).map((what) => ({ operation: "revoked", what }) as const),
    ];
}

/** What the collectors of a route authenticate with, as a person reads it. */
export function credentialsOf({ cloudwatch, vmuserSecret, settings }: Route): string[] {
    if (vmuserSecret !== undefined) {
        return [`Secret ${vmuserSecret}, which KOF makes for the region`];
    }
    if (settings.route === "otlp") {
        return settings.otlp.headersSecret === undefined ? [] : [`headers in Secret ${settings.otlp.headersSecret}`];
    }
    if (!cloudwatch) {
        return [];
    }
    const { credentials, roleName = "" } = cloudwatch;
    switch (credentials.kind) {
        case "accessKey":
            return credentials.generations.map((generation) => `access key ${generation} of IAM user cloudwatch`);
        case "podIdentity":
            return [`IAM role for the collectors' pods on EKS cluster ${credentials.clusterName}`];
        case "irsa":
            return [`IAM role ${roleName} for the collectors' service accounts`];
        case "existingSecret":
            return [`AWS credentials in Secret ${credentials.name}, made elsewhere`];
    }
}
