interface Evaluation {
    readonly value: unknown;
    readonly variant?: string;
    readonly reason?: string;
    readonly flagMetadata?: Readonly<Record<string, unknown>>;
}
export declare const exposureHook: {
    after({ flagKey }: {
        readonly flagKey: string;
    }, { variant, value, reason, flagMetadata }: Evaluation): void;
};
export {};
