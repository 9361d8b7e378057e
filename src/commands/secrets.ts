import type { Environment } from '../effects.ts';

const names = [
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN',
    'TIEOUT_NOTIFY_SECRET',
    'TIEOUT_SERVE_TOKEN',
    'TIEOUT_WEBHOOK_SECRET',
    'TIEOUT_NETSUITE_PRIVATE_KEY',
    'TIEOUT_STRIPE_KEY',
    'TIEOUT_SALESFORCE_CLIENT_SECRET',
    'TIEOUT_SALESFORCE_PRIVATE_KEY',
];

/** Whatever a store answered and whatever broke: the secrets of this process are never printed. */
export function withoutSecrets(text: string, environment: Environment): string {
    return names.reduce((shown, name) => {
        const secret = environment[name] ?? '';
        return secret.length < 8 ? shown : shown.replaceAll(secret, `(${name})`);
    }, text);
}
