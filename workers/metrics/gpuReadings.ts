import { execFile } from 'node:child_process';

/** What is asked of a GPU, and what it is called in `/metrics`. */
const readings = [
  { query: 'memory.used', name: 'tempeh_gpu_memory_used_bytes', unit: 2 ** 20, help: 'Memory in use' },
  { query: 'memory.total', name: 'tempeh_gpu_memory_total_bytes', unit: 2 ** 20, help: 'Memory of the device' },
  { query: 'utilization.gpu', name: 'tempeh_gpu_utilization_ratio', unit: 0.01, help: 'Share of the time at work' },
  { query: 'temperature.gpu', name: 'tempeh_gpu_temperature_celsius', unit: 1, help: 'Temperature' },
] as const;

/** Readings are kept so long, milliseconds: nvidia-smi takes up to a second. */
const keptFor = 10_000;
const timeout = 5000;

let last: { at: number; text: Promise<string> } | null = null;

/** Lines for Prometheus about this machine's NVIDIA GPUs; empty where there are none. */
export function gpuReadings(): Promise<string> {
  if (last === null || Date.now() - last.at > keptFor) last = { at: Date.now(), text: ask() };
  return last.text;
}

function ask(): Promise<string> {
  const query = ['index', 'uuid', 'name', ...readings.map((reading) => reading.query)].join(',');
  return new Promise((resolve) => {
    execFile('nvidia-smi', [`--query-gpu=${query}`, '--format=csv,noheader,nounits'], { timeout }, (error, stdout) => {
      resolve(error === null ? gpuLines(stdout) : '');
    });
  });
}

/** @param table as nvidia-smi prints it: a GPU a line, values separated by commas; "[N/A]" where there is none. */
export function gpuLines(table: string): string {
  const gpus = table
    .split('\n')
    .map((line) => line.split(',').map((value) => value.trim()))
    .filter((values) => values.length === 3 + readings.length);
  return readings
    .map(({ name, unit, help }, i) => {
      const lines = gpus.flatMap(([index, uuid, model, ...values]) => {
        const value = Number.parseFloat(values[i] ?? '');
        if (!Number.isFinite(value)) return [];
        return `${name}{gpu="${label(index)}",uuid="${label(uuid)}",model="${label(model)}"} ${value * unit}\n`;
      });
      return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
    })
    .join('');
}

const label = (text = ''): string => text.replace(/[^\w .:-]/g, '_');
