import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { GetRequiredPackagesResponse } from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";

import { unaryMethod, listen } from "./server";

// A language host that runs nothing: `pulumi import` starts the project's before anything else.
const server = new grpc.Server();
server.addService(LanguageRuntimeService, {
    getPluginInfo: unaryMethod(() => new PluginInfo()),
    getRequiredPackages: unaryMethod(() => new GetRequiredPackagesResponse()),
});
void listen(server);
