/**
 * Where secrets are learned, and what plugins say of a service without them.
 */
import type { Files } from '../host/host.ts';
import type { HealthCheck } from '../plugin/health_check.ts';
import { declaredEnv } from '../process/launch.ts';
import type { ServiceFile } from '../spec/mod.ts';
import { type Redactor, secretsOf } from './redactor.ts';

/** Learns the secrets of every action of a service file. What cannot be read is learned when its program starts. */
export function learnSecrets(
  redactor: Redactor,
  { services }: Pick<ServiceFile, 'services'>,
  files: Files,
): void {
  for (const service of Object.values(services)) {
    for (const action of Object.values(service.actions)) {
      redactor.learn(`${service.name}/${action.name}`, secretsOf(action, readable(action, files)));
    }
  }
}

function readable(action: Parameters<typeof declaredEnv>[0], files: Files): Record<string, string> {
  try {
    return declaredEnv(action, files);
  } catch {
    return { ...action.env };
  }
}

/** A check whose words and data have no secrets in them: it may repeat what a service answered. */
export function redactedCheck(check: HealthCheck | undefined, redactor: Redactor): HealthCheck | null {
  if (check === undefined) return null;
  const { name, summary, options } = check;
  return {
    name,
    summary,
    options,
    look: async (given, look) => {
      try {
        return redactor.value(await check.look(given, look));
      } catch (error) {
        throw new Error(redactor.text(error instanceof Error ? error.message : String(error)));
      }
    },
  };
}
