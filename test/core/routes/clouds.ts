import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { DestinationStandIn, type Certificate, type Request } from "./standIns";

const tenant = "11111111-2222-3333-4444-555555555555";
const client = "66666666-7777-8888-9999-000000000000";
const login = "https://login.microsoftonline.com";
const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/kof/providers/cluster";

/** What a cluster gives a pod, to show to a cloud. */
const ofCluster = "token-of-the-cluster";

/** What is granted, by the cloud and by whose identity it is. */
export const granted = {
    azure: { pod: "azure-of-pod", node: "azure-of-node" },
    google: { pod: "google-of-pod", node: "google-of-node" },
} as const;

/** The projects that Google's credentials name. */
export const projects = { pod: "kof-of-pod", node: "kof-of-node", quota: "kof-quota" } as const;

/** Stands in for what gives pods an identity of Azure or Google Cloud: to each what it asks for as it should, and 400 else. */
export class Clouds {
    /** Whether nodes have an identity. */
    nodes = true;
    private readonly entra: DestinationStandIn;
    private readonly others = new DestinationStandIn("http");
    private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-clouds-"));

    constructor(private readonly certificate: Certificate) {
        this.entra = new DestinationStandIn("http", certificate);
        this.entra.behave = (request) => atEntra(request);
        this.others.behave = (request) => this.elsewhere(request);
        this.others.leadsTo = this.entra;
    }

    async start(): Promise<this> {
        await Promise.all([this.entra.start(), this.others.start()]);
        return this;
    }

    async stop(): Promise<void> {
        await Promise.all([this.entra.stop(), this.others.stop()]);
        fs.rmSync(this.folder, { recursive: true, force: true });
    }

    /** The variables of a pod with an identity: from Azure's webhook, and for Google's workload identity federation. */
    ofPod(): Readonly<Record<string, string>> {
        const credentials = {
            type: "external_account",
            audience: pool,
            subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
            token_url: `http://${this.address}/google/token`,
            credential_source: { file: this.write("token", ofCluster) },
            quota_project_id: projects.quota,
        };
        return {
            AZURE_AUTHORITY_HOST: `${login}/`,
            AZURE_CLIENT_ID: client,
            AZURE_TENANT_ID: tenant,
            AZURE_FEDERATED_TOKEN_FILE: this.write("token", ofCluster),
            HTTPS_PROXY: `http://${this.address}`,
            SSL_CERT_FILE: this.write("ca.crt", this.certificate.cert),
            GOOGLE_APPLICATION_CREDENTIALS: this.write("google.json", JSON.stringify(credentials)),
            GOOGLE_CLOUD_PROJECT: projects.pod,
        };
    }

    /** The variables of a pod without: what it takes to reach the metadata servers of its node here. */
    ofNode(): Readonly<Record<string, string>> {
        return { HTTP_PROXY: `http://${this.address}`, GCE_METADATA_HOST: this.address };
    }

    private get address(): string {
        return `127.0.0.1:${String(this.others.port)}`;
    }

    private write(name: string, content: string): string {
        const file = path.join(this.folder, name);
        fs.writeFileSync(file, content);
        return file;
    }

    private elsewhere({ url, headers, body }: Request): readonly [number, string] {
        const form = new URLSearchParams(body.toString());
        switch (`${url.host === this.address || url.host === "stand-in" ? "" : url.origin}${url.pathname}`) {
            case "http://169.254.169.254/metadata/identity/oauth2/token":
                return this.nodes &&
                    headers.metadata === "true" &&
                    url.searchParams.get("resource") === "https://monitor.azure.com"
                    ? grant(granted.azure.node)
                    : refusal;
            case "/computeMetadata/v1/project/project-id":
                return this.nodes && headers["metadata-flavor"] === "Google" ? [200, projects.node] : refusal;
            case "/computeMetadata/v1/instance/service-accounts/default/token":
                return this.nodes && headers["metadata-flavor"] === "Google" ? grant(granted.google.node) : refusal;
            case "/google/token":
                return form.get("subject_token") === ofCluster && form.get("audience") === pool
                    ? grant(granted.google.pod, { issued_token_type: "urn:ietf:params:oauth:token-type:access_token" })
                    : refusal;
            default:
                return refusal;
        }
    }
}

function atEntra({ url, headers, body }: Request): readonly [number, string] {
    const form = new URLSearchParams(body.toString());
    switch (`https://${headers.host ?? ""}${url.pathname}`) {
        case `${login}/${tenant}/v2.0/.well-known/openid-configuration`:
            return [
                200,
                JSON.stringify({
                    issuer: `${login}/${tenant}/v2.0`,
                    authorization_endpoint: `${login}/${tenant}/oauth2/v2.0/authorize`,
                    token_endpoint: `${login}/${tenant}/oauth2/v2.0/token`,
                }),
            ];
        case `${login}/${tenant}/oauth2/v2.0/token`:
            return form.get("client_id") === client &&
                form.get("client_assertion") === ofCluster &&
                form.get("scope")?.split(" ").includes("https://monitor.azure.com/.default") === true
                ? grant(granted.azure.pod)
                : refusal;
        default:
            return refusal;
    }
}

const refusal = [400, '{"error": "invalid_request"}'] as const;

function grant(token: string, more: object = {}): readonly [number, string] {
    return [200, JSON.stringify({ access_token: token, expires_in: 3600, token_type: "Bearer", ...more })];
}
