import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { catalogue } from '../src/errors/index.ts';
import { configSchema } from '../src/schema/config.ts';

/** What can be known of the examples in deploy/ and of the runbook without a cluster or a builder. */
const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The exits that a schedule tries again, and no other. */
const tryAgain = 75;

/** Only a value of JSON comes out of YAML. */
// biome-ignore lint/suspicious/noExplicitAny: documents of other programs
type Document = any;

describe('kubernetes', () => {
    const documents = parseAllDocuments(read('deploy/kubernetes/cronjob.yaml')).map(
        (document): Document => {
            expect(document.errors).toEqual([]);
            return document.toJS();
        },
    );
    const [account, cron] = documents;
    const job = cron.spec.jobTemplate.spec;
    const pod = job.template.spec;
    const [container] = pod.containers;

    test('is an account and a cron job', () => {
        expect(documents.map(({ kind, apiVersion }) => `${apiVersion} ${kind}`)).toEqual([
            ...['v1 ServiceAccount', 'batch/v1 CronJob'],
        ]);
        expect(pod.serviceAccountName).toBe(account.metadata.name);
    });

    test('one night at a time; only exit 75 is tried again', () => {
        expect(cron.spec).toMatchObject({ concurrencyPolicy: 'Forbid', timeZone: 'Etc/UTC' });
        // A failure policy is refused with any other restart policy, and names a container.
        expect(pod.restartPolicy).toBe('Never');
        expect(job.podFailurePolicy.rules).toEqual([
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
            {
                action: 'FailJob',
                onExitCodes: {
                    ...{ containerName: container.name, operator: 'NotIn', values: [tryAgain] },
                },
            },
        ]);
    });

    test('every volume that is mounted exists, and none has to stay: the state is a bucket', () => {
        const volumes: readonly Document[] = pod.volumes;
        const mounted = container.volumeMounts.map(({ name }: Document) => name);
        expect(mounted).toEqual(volumes.map(({ name }) => name));
        const state = volumes.find(({ name }) => name === 'state');
        expect(state.emptyDir.sizeLimit).toBeDefined();
        const [text = ''] = /`state: .*`/.exec(read('deploy/kubernetes/cronjob.yaml')) ?? [];
        const { mountPath } = container.volumeMounts.find(({ name }: Document) => name === 'state');
        expect(configSchema.shape.state.parse(parse(text.slice(1, -1)).state)).toMatchObject({
            folder: mountPath,
            alone: false,
        });
    });

    test('secrets come from a secret, and nothing may be more than it needs', () => {
        const secrets = container.env.filter(({ name }: Document) => name.startsWith('TIEOUT_'));
        for (const { value, valueFrom } of secrets) {
            expect(value).toBeUndefined();
            expect(valueFrom.secretKeyRef.name).toBe('tieout');
        }
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
        expect(container.securityContext).toMatchObject({
            ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
            capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.limits.memory).toBeDefined();
    });
});

describe('github actions', () => {
    const workflow: Document = parse(read('deploy/github-actions/nightly.yml'));
    const steps: readonly Document[] = workflow.jobs.nightly.steps;

    test('may do nothing but read the repository and prove who it is', () => {
        expect(workflow.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
        expect(workflow.concurrency).toMatchObject({ 'cancel-in-progress': false });
    });

    test('every action is pinned by a whole hash', () => {
        const used = steps.flatMap(({ uses }) => (uses ? [uses] : []));
        expect(used).toHaveLength(3);
        for (const action of used) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    });

    test('no text of strangers is put into a script', () => {
        for (const { run } of steps) expect(run ?? '').not.toContain('${{');
    });

    /** The very script of the step, with a tieout that ends as told and a clock that does not wait. */
    test.each([
        ['a clean night', '0', 0, 1],
        ['a held one', '1', 1, 1],
        ['a wrong config', '2', 2, 1],
        ['once unreachable', '75 0', 0, 2],
        ['always unreachable', '75 75 75 75', 75, 4],
        ['unreachable, then held', '75 1', 1, 2],
    ])('%s', (_what, exits, exit, count) => {
        const { run } = steps.find(({ id }) => id === 'night');
        const stubs = `exits=(${exits}); n=0; sleep() { :; }
            tieout() { echo "$*"; n=$((n + 1)); return "\${exits[n - 1]}"; }\n`;
        const { status, stdout } = spawnSync('bash', ['-e', '-c', stubs + run], {
            encoding: 'utf8',
            env: { ...process.env, PERIOD: '2026-10' },
        });
        expect(status).toBe(exit);
        expect(stdout).toBe('run --period 2026-10\n'.repeat(count));
    });
});

describe('systemd', () => {
    const service = read('deploy/systemd/tieout.service');

    test('only exit 75 is tried again, and not without end', () => {
        expect(service).toMatch(/^Restart=no$/m);
        expect(service).toMatch(/^RestartForceExitStatus=75$/m);
        expect(service).toMatch(/^StartLimitBurst=\d+$/m);
    });

    test('Node can compile: nothing forbids memory that is written and run', () => {
        expect(service).not.toMatch(/^MemoryDenyWriteExecute=yes/m);
    });

    test('the period is the month of yesterday', () => {
        const [, script = ''] = /^ExecStart=\/bin\/sh -c '(.+)'$/m.exec(service) ?? [];
        // As systemd unescapes it; `date` is asked what it says on the first of a month.
        const line = script
            .replaceAll('$$', '$')
            .replaceAll('%%', '%')
            .replace('exec /usr/local/bin/tieout', 'echo')
            .replace('-d yesterday', '-d "2026-11-01 -1 day"');
        expect(spawnSync('sh', ['-c', line], { encoding: 'utf8' }).stdout).toBe(
            '--config /etc/tieout/tieout.yaml run --period 2026-10\n',
        );
    });
});

describe('airflow', () => {
    const python = spawnSync('python3', ['--version']).status === 0;
    test.skipIf(!python)('compiles, and only exit 75 is tried again', () => {
        // The DAG over stand-ins for Airflow: what it makes of each exit code.
        const script = `
import sys, types
def module(name, **of):
    sys.modules[name] = types.ModuleType(name); sys.modules[name].__dict__.update(of)
class Retry(Exception): pass
class Fail(Retry): pass
class Operator:
    def __init__(self, **of): self.__dict__.update(of)
    def get_env(self, context): return context
class Dag:
    def __init__(self, **of): self.of = of
    def __enter__(self): return self
    def __exit__(self, *of): return False
for name in ['airflow', 'airflow.providers', 'airflow.providers.standard', 'airflow.providers.standard.operators']: module(name)
module('pendulum', datetime=lambda *of, **named: of)
module('airflow.exceptions', AirflowException=Retry, AirflowFailException=Fail)
module('airflow.providers.standard.operators.bash', BashOperator=Operator)
module('airflow.sdk', DAG=Dag)
source = open(sys.argv[1]).read()
scope = {'__name__': 'tieout_dag'}
exec(compile(source, sys.argv[1], 'exec'), scope)
for code in [0, 1, 2, 70, 75, 137]:
    operator = scope['TieoutOperator'](bash_command='x')
    result = types.SimpleNamespace(exit_code=code, output='said')
    operator.subprocess_hook = types.SimpleNamespace(run_command=lambda **of: result)
    try: print(code, operator.execute({}))
    except Retry as failure: print(code, type(failure).__name__)
`;
        const dag = join(root, 'deploy/airflow/tieout_dag.py');
        const said = spawnSync('python3', ['-B', '-c', script, dag], { encoding: 'utf8' });
        expect(said.stderr).toBe('');
        expect(said.stdout).toBe('0 said\n1 Fail\n2 Fail\n70 Fail\n75 Retry\n137 Fail\n');
    });
});

describe('the image', () => {
    const dockerfile = read('deploy/Dockerfile');
    const ignored = read('deploy/Dockerfile.dockerignore').split('\n');

    test('all that it copies is there, and goes to the builder', () => {
        const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
            ([, names = '']) => names.split(' '),
        );
        expect(copied).toContain('pipelines');
        for (const name of copied) {
            expect(existsSync(join(root, name)), name).toBe(true);
            expect(
                ignored.some((line) => line === `!${name}` || line.startsWith(`!${name}/`)),
                name,
            ).toBe(true);
        }
    });

    test('runs as nobody in particular, from dist, without development packages', () => {
        const [, last = ''] = dockerfile.split(/^FROM .*slim$/m);
        expect(last).toContain('npm ci --omit=dev');
        expect(last.indexOf('USER node')).toBeGreaterThan(last.lastIndexOf('RUN '));
        expect(last).toMatch(/^ENTRYPOINT \["tieout"\]$/m);
        const { bin, files } = JSON.parse(read('package.json'));
        expect(last).toContain(`/opt/tieout/${bin.tieout} `);
        for (const folder of ['dist', 'pipelines', 'rating-rules', 'schemas']) {
            expect(files).toContain(folder);
            expect(last).toContain(` ${folder}\n`);
        }
    });
});

describe('the runbook', () => {
    const rows = [...read('docs/runbook.md').matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)];
    const codes: Readonly<Record<string, { readonly exit: number }>> = catalogue;

    test('knows the main codes', () => expect(rows.length).toBeGreaterThan(25));
    test.each(rows.map(([, code = '', exit = '']) => [code, exit]))(
        '%s ends with %s',
        (code, exit) => {
            expect(String(codes[code]?.exit)).toBe(exit);
        },
    );
});
