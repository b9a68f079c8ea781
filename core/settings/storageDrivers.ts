/** What a parameter of a storage class may be: any text, `true` or `false`, a whole number, or one of these. */
export type ParameterKind = "text" | "boolean" | "count" | readonly string[];

/** What a driver makes of the parameters of a storage class. */
export interface StorageDriver {
    /** The parameters that it reads. */
    readonly parameters: Readonly<Record<string, ParameterKind>>;
    /** What the names of further parameters begin with. */
    readonly prefixes?: readonly string[];
    /** Whether it refuses to make volumes for a class with a parameter that it does not know, or takes no notice of that. */
    readonly unknown: "refused" | "ignored";
    /** Whether it takes names of parameters, and of what they may be, in upper and lower case. */
    readonly anyCase: boolean;
    /** Parameters without which it makes no volumes: one of each list. */
    readonly required?: readonly (readonly string[])[];
    /** Whether it makes a volume larger when asked. */
    readonly expands: boolean;
    /** Whether a volume holds no more than its size says. */
    readonly enforcesSize: boolean;
    /** URL, as of {@link driversLookedUp}. */
    readonly source: string;
}

/** When the drivers were looked up. */
export const driversLookedUp = "2026-11-27";

const yesNo = ["yes", "no"] as const;
const softly = ["ignored", "enabled", "disabled"] as const;
const secretOf = (role: string) => [
    `csi.storage.k8s.io/${role}-secret-name`,
    `csi.storage.k8s.io/${role}-secret-namespace`,
];

const disk = { expands: true, enforcesSize: true } as const;
/** Disks of drivers that refuse what they do not know, and take it in upper and lower case. */
const strict = { ...disk, unknown: "refused", anyCase: true } as const;
/** Disks of drivers that take no notice of what they do not know, which includes names in another case. */
const lenient = { ...disk, unknown: "ignored", anyCase: false } as const;

const cephRbd: StorageDriver = {
    ...lenient,
    parameters: {
        clusterID: "text",
        pool: "text",
        dataPool: "text",
        topologyConstrainedPools: "text",
        imageFormat: ["2"],
        imageFeatures: "text",
        mkfsOptions: "text",
        tryOtherMounters: "boolean",
        mapOptions: "text",
        unmapOptions: "text",
        mounter: ["rbd", "rbd-nbd"],
        cephLogDir: "text",
        cephLogStrategy: ["remove", "compress", "preserve"],
        volumeNamePrefix: "text",
        encrypted: "boolean",
        encryptionType: ["block", "file"],
        encryptionKMSID: "text",
        encryptionSectorSize: "count",
        encryptionCipher: "text",
        encryptionKeySize: "count",
        integrityMode: "text",
        stripeUnit: "count",
        stripeCount: "count",
        objectSize: "count",
    },
    required: [
        ["clusterID"],
        ["pool", "topologyConstrainedPools"],
        // The program's class lets volumes grow.
        ...["provisioner", "controller-expand", "node-stage"].flatMap(secretOf).map((name) => [name]),
    ],
    source: "https://github.com/ceph/ceph-csi/blob/devel/examples/rbd/storageclass.yaml",
};

/** By the name of the driver, which is the provisioner of a class. */
const drivers: Readonly<Record<string, StorageDriver>> = {
    "ebs.csi.aws.com": {
        ...strict,
        parameters: {
            type: "text",
            iops: "count",
            iopsPerGB: "count",
            allowAutoIOPSPerGBIncrease: "boolean",
            allowAutoIOPSIncreaseOnModify: "boolean",
            throughput: "count",
            volumeInitializationRate: "count",
            encrypted: "boolean",
            kmsKeyId: "text",
            blockExpress: "boolean",
            blockSize: "text",
            inodeSize: "text",
            bytesPerInode: "text",
            numberOfInodes: "text",
            ext4BigAlloc: "boolean",
            ext4ClusterSize: "text",
            ext4EncryptionSupport: "boolean",
            blockAttachUntilInitialized: "boolean",
            fsType: "text",
        },
        prefixes: ["tagSpecification"],
        source: "https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/pkg/driver/controller.go",
    },
    "pd.csi.storage.gke.io": {
        ...strict,
        parameters: {
            type: "text",
            "replication-type": ["none", "regional-pd"],
            "disk-encryption-kms-key": "text",
            labels: "text",
            "resource-tags": "text",
            "provisioned-iops-on-create": "text",
            "provisioned-throughput-on-create": "text",
            "availability-class": ["none", "regional-hard-failover"],
            "enable-confidential-storage": "boolean",
            "storage-pools": "text",
            "data-cache-size": "text",
            "data-cache-mode": "text",
            "enable-multi-zone-provisioning": "boolean",
            "use-allowed-disk-topology": "boolean",
            "access-mode": "text",
            "hyperdisk-type": "text",
            "pd-type": "text",
            "disk-type-preference": "text",
        },
        source: "https://github.com/kubernetes-sigs/gcp-compute-persistent-disk-csi-driver/blob/master/pkg/parameters/parameters.go",
    },
    "disk.csi.azure.com": {
        ...strict,
        parameters: {
            skuName: "text",
            storageAccountType: "text",
            kind: "text",
            fsType: "text",
            cachingMode: ["None", "ReadOnly", "ReadWrite"],
            location: "text",
            resourceGroup: "text",
            subscriptionID: "text",
            diskName: "text",
            DiskIOPSReadWrite: "count",
            DiskMBpsReadWrite: "count",
            LogicalSectorSize: "count",
            tags: "text",
            tagValueDelimiter: "text",
            diskEncryptionSetID: "text",
            diskEncryptionType: "text",
            writeAcceleratorEnabled: "text",
            perfProfile: "text",
            networkAccessPolicy: ["AllowAll", "DenyAll", "AllowPrivate"],
            publicNetworkAccess: ["Enabled", "Disabled"],
            diskAccessID: "text",
            enableBursting: "boolean",
            enablePerformancePlus: "boolean",
            enableAsyncAttach: "text",
            maxShares: "count",
            zoned: "text",
            userAgent: "text",
            attachDiskInitialDelay: "count",
        },
        prefixes: ["device-setting/"],
        source: "https://github.com/kubernetes-sigs/azuredisk-csi-driver/blob/master/pkg/azureutils/azure_disk_utils.go",
    },
    "cinder.csi.openstack.org": {
        ...lenient,
        parameters: { type: "text", availability: "text" },
        source: "https://github.com/kubernetes/cloud-provider-openstack/blob/master/pkg/csi/cinder/controllerserver.go",
    },
    "csi.vsphere.vmware.com": {
        ...strict,
        parameters: {
            storagepolicyname: "text",
            datastoreurl: "text",
            svstorageclass: "text",
            fstype: "text",
            csimigration: "boolean",
        },
        source: "https://github.com/kubernetes-sigs/vsphere-csi-driver/blob/master/pkg/csi/service/common/util.go",
    },
    "csi.hetzner.cloud": {
        ...lenient,
        parameters: { labels: "text", fsFormatOptions: "text", xfsMinSupportedKernel: "text" },
        source: "https://github.com/hetznercloud/csi-driver/blob/main/internal/driver/controller.go",
    },
    "dobs.csi.digitalocean.com": {
        ...lenient,
        parameters: {},
        source: "https://github.com/digitalocean/csi-digitalocean/blob/master/driver/controller.go",
    },
    "driver.longhorn.io": {
        ...lenient,
        parameters: {
            numberOfReplicas: "count",
            staleReplicaTimeout: "count",
            fromBackup: "text",
            backupTargetName: "text",
            backupBlockSize: "text",
            fsType: "text",
            mkfsParams: "text",
            migratable: "boolean",
            encrypted: "boolean",
            share: "boolean",
            exclusive: "boolean",
            dataLocality: ["disabled", "best-effort", "strict-local"],
            replicaAutoBalance: ["ignored", "disabled", "least-effort", "best-effort"],
            diskSelector: "text",
            nodeSelector: "text",
            recurringJobSelector: "text",
            backingImage: "text",
            backingImageName: "text",
            backingImageChecksum: "text",
            backingImageDataSourceType: "text",
            backingImageDataSourceParameters: "text",
            dataSource: "text",
            cloneMode: "text",
            unmapMarkSnapChainRemoved: softly,
            disableRevisionCounter: "boolean",
            replicaSoftAntiAffinity: softly,
            replicaZoneSoftAntiAffinity: softly,
            replicaDiskSoftAntiAffinity: softly,
            nfsOptions: "text",
            dataEngine: ["v1", "v2"],
            frontend: "text",
            freezeFSForSnapshot: softly,
            freezeFilesystemForSnapshot: softly,
            strictTopology: "boolean",
            volumeTopology: "text",
            ublkNumberOfQueue: "count",
            ublkQueueDepth: "count",
            nvmeTcpNrIoQueues: "count",
        },
        prefixes: ["dataLayout."],
        source: "https://longhorn.io/docs/1.14.0/references/storage-class-parameters/",
    },
    "rbd.csi.ceph.com": cephRbd,
    "pxd.portworx.com": {
        ...lenient,
        parameters: {
            repl: ["1", "2", "3"],
            fs: ["ext4", "xfs"],
            io_profile: "text",
            io_priority: "text",
            priority_io: "text",
            sharedv4: "boolean",
            sharedv4_svc_type: "text",
            sharedv4_failover_strategy: ["aggressive", "normal"],
            secure: "boolean",
            nodiscard: "boolean",
            group: "text",
            fg: "boolean",
            label: "text",
            labels: "text",
            nodes: "text",
            snap_schedule: "text",
            snap_interval: "count",
            aggregation_level: "text",
            journal: "boolean",
            sticky: "boolean",
        },
        source: "https://docs.portworx.com/scheduler/kubernetes/dynamic-provisioning.html",
    },
    "nfs.csi.k8s.io": {
        parameters: {
            server: "text",
            share: "text",
            subDir: "text",
            // The first is pasted where nobody can tell what was meant.
            onDelete: ["retain", "archive", "delete"],
            mountPermissions: "text",
            uid: "count",
            gid: "count",
        },
        unknown: "refused",
        anyCase: true,
        required: [["server"], ["share"]],
        expands: true,
        enforcesSize: false,
        source: "https://github.com/kubernetes-csi/csi-driver-nfs/blob/master/docs/driver-parameters.md",
    },
    "local.csi.openebs.io": {
        ...disk,
        parameters: {
            storage: "text",
            volgroup: "text",
            vgpattern: "text",
            scheduler: "text",
            shared: yesNo,
            thinProvision: yesNo,
            fsType: "text",
        },
        unknown: "ignored",
        anyCase: true,
        required: [["volgroup", "vgpattern"]],
        source: "https://github.com/openebs/lvm-localpv/blob/develop/docs/storageclasses.md",
    },
    /** It makes folders, and has nothing that would act on a larger claim (README, "no support for the volume capacity limit"). */
    "rancher.io/local-path": {
        parameters: {
            nodePath: "text",
            pathPattern: "text",
            allowUnsafePathPattern: "boolean",
            userPattern: "text",
            groupPattern: "text",
            permPattern: "text",
            nodeAffinityKey: "text",
        },
        unknown: "ignored",
        anyCase: false,
        expands: false,
        enforcesSize: false,
        source: "https://github.com/rancher/local-path-provisioner/blob/master/provisioner.go",
    },
};

/** What is known of a driver; `undefined` of one that nobody has looked up. Rook puts its operator's namespace before Ceph's name. */
export function storageDriver(provisioner: string): StorageDriver | undefined {
    return Object.hasOwn(drivers, provisioner)
        ? drivers[provisioner]
        : provisioner.endsWith(".rbd.csi.ceph.com")
          ? cephRbd
          : undefined;
}

/** Whether some driver reads a parameter of this name. */
export function isClassParameter(name: string): boolean {
    return [cephRbd, ...Object.values(drivers)].some(({ parameters }) => Object.hasOwn(parameters, name));
}

/** Parameters that Kubernetes reads itself, of every CSI driver: the file system, and the Secrets of each of its calls. */
export const csiPrefix = "csi.storage.k8s.io/";

const secretCalls = [
    ...["provisioner", "controller-publish", "node-stage", "node-publish", "controller-expand", "node-expand"],
    "controller-modify",
];

/**
 * All that Kubernetes takes under {@link csiPrefix}. Any other name is refused
 * (https://github.com/kubernetes-csi/external-provisioner/blob/master/pkg/controller/controller.go, `removePrefixedParameters`).
 */
export const csiParameters: readonly string[] = [
    `${csiPrefix}fstype`,
    `${csiPrefix}secret-name`,
    `${csiPrefix}secret-namespace`,
    ...secretCalls.flatMap(secretOf),
];
