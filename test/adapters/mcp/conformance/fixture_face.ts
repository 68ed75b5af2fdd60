/**
 * The tools, resources and prompts that MCP's conformance suite asks for by name, as a face: what is tested by them is
 * the server that upkeep's own face is served by.
 */
import {
  type Call,
  type Content,
  type Face,
  INVALID_PARAMS,
  type JsonObject,
  ProtocolError,
  RESOURCE_NOT_FOUND,
  type ResourceContents,
  type ToolAnswer,
} from '../../../../adapters/mcp/face.ts';

/** One red pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

/** A WAV file without a sound. */
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

const NOTHING = { type: 'object', properties: {} } as const;

interface Fixture {
  readonly description: string;
  readonly inputSchema?: JsonObject;
  run(args: JsonObject, call: Call): Promise<ToolAnswer> | ToolAnswer;
}

const TOOLS: Readonly<Record<string, Fixture>> = {
  test_simple_text: {
    description: 'A text.',
    run: () => says('This is a simple text response for testing.'),
  },
  test_image_content: {
    description: 'An image.',
    run: () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }),
  },
  test_audio_content: {
    description: 'A sound.',
    run: () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  },
  test_embedded_resource: {
    description: 'A resource.',
    run: () => ({
      content: [embedded('test://embedded-resource', 'This is an embedded resource content.', 'text/plain')],
    }),
  },
  test_multiple_content_types: {
    description: 'A text, an image and a resource.',
    run: () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: PNG, mimeType: 'image/png' },
        embedded('test://mixed-content-resource', '{"test":"data","value":123}', 'application/json'),
      ],
    }),
  },
  test_tool_with_logging: {
    description: 'Says three things on its way.',
    run: async (_, call) => {
      for (const text of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await call.log('info', text);
      }
      return says('It was told what it does.');
    },
  },
  test_error_handling: {
    description: 'Fails.',
    run: () => ({ ...says('This tool intentionally returns an error for testing'), isError: true }),
  },
  test_tool_with_progress: {
    description: 'Tells how far it is.',
    run: async (_, call) => {
      for (const at of [0, 50, 100]) await call.progress?.(at, `${at} of 100`, 100);
      return says('It was told how far it was.');
    },
  },
  test_sampling: {
    description: 'Asks the model of the client.',
    inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    run: async ({ prompt }, call) => {
      if (!call.can('sampling')) return { ...says('The client has no model.'), isError: true };
      const { content } = await call.ask('sampling/createMessage', {
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      return says(`LLM response: ${(content as { text?: string }).text}`);
    },
  },
  test_elicitation: {
    description: 'Asks the user.',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    run: async ({ message }, call) =>
      says(
        `User response: ${await asked(call, String(message), {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        })}`,
      ),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks the user, with defaults.',
    run: async (_, call) =>
      says(
        `Elicitation completed: ${await asked(call, 'Please look these over', {
          name: { type: 'string', default: 'John Doe' },
          age: { type: 'integer', default: 30 },
          score: { type: 'number', default: 95.5 },
          status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', default: true },
        })}`,
      ),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks the user to choose.',
    run: async (_, call) =>
      says(
        `Elicitation completed: ${await asked(call, 'Please choose', {
          untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
          titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
          legacyEnum: {
            type: 'string',
            enum: ['opt1', 'opt2', 'opt3'],
            enumNames: ['Option One', 'Option Two', 'Option Three'],
          },
          untitledMulti: {
            type: 'array',
            items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
          },
          titledMulti: {
            type: 'array',
            items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') },
          },
        })}`,
      ),
  },
  json_schema_2020_12_tool: {
    description: 'Has an input schema with keywords of JSON Schema 2020-12.',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    run: () => says('It was listed.'),
  },
};

/** The face. */
export const fixtureFace: Face = {
  instructions: 'For tests only.',

  tools: async () =>
    Object.entries(TOOLS).map(([name, { description, inputSchema = NOTHING }]) => ({
      name,
      description,
      inputSchema,
    })),

  async callTool(name, args, call) {
    const tool = TOOLS[name];
    if (tool === undefined) throw new ProtocolError(INVALID_PARAMS, `Unknown tool: ${name}`);
    return tool.run(args, call);
  },

  resources: async () => [
    { uri: 'test://static-text', name: 'text', description: 'A text.', mimeType: 'text/plain' },
    { uri: 'test://static-binary', name: 'image', description: 'An image.', mimeType: 'image/png' },
    { uri: 'test://watched-resource', name: 'watched', description: 'Changes.', mimeType: 'text/plain' },
  ],

  templates: [
    {
      uriTemplate: 'test://template/{id}/data',
      name: 'template',
      description: 'Whatever is asked for.',
      mimeType: 'application/json',
    },
  ],

  async readResource(uri): Promise<ResourceContents[]> {
    switch (uri) {
      case 'test://static-text':
        return [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }];
      case 'test://static-binary':
        return [{ uri, mimeType: 'image/png', blob: PNG }];
      case 'test://watched-resource':
        return [{ uri, mimeType: 'text/plain', text: 'Watched.' }];
    }
    const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
    if (id === undefined) throw new ProtocolError(RESOURCE_NOT_FOUND, 'Resource not found', { uri });
    const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return [{ uri, mimeType: 'application/json', text }];
  },

  prompts: [
    { name: 'test_simple_prompt', description: 'A prompt.' },
    {
      name: 'test_prompt_with_arguments',
      description: 'A prompt with arguments.',
      arguments: [
        { name: 'arg1', description: 'The first.', required: true },
        { name: 'arg2', description: 'The second.', required: true },
      ],
    },
    {
      name: 'test_prompt_with_embedded_resource',
      description: 'A prompt with a resource.',
      arguments: [{ name: 'resourceUri', description: 'Which.', required: true }],
    },
    { name: 'test_prompt_with_image', description: 'A prompt with an image.' },
  ],

  async getPrompt(name, args) {
    const messages = prompt(name, args);
    if (messages === null) throw new ProtocolError(INVALID_PARAMS, `Unknown prompt: ${name}`);
    return messages.map((content) => ({ role: 'user', content }));
  },

  complete: async (_target, _argument, value) =>
    ['paris', 'park', 'party'].filter((city) => city.startsWith(value)),

  async *news(caller) {
    if (!caller.signal.aborted) {
      await new Promise((resolve) => caller.signal.addEventListener('abort', resolve));
    }
  },

  changes: () => null,
};

function prompt(name: string, args: Readonly<Record<string, string>>): Content[] | null {
  switch (name) {
    case 'test_simple_prompt':
      return [{ type: 'text', text: 'This is a simple prompt for testing.' }];
    case 'test_prompt_with_arguments':
      return [
        {
          type: 'text',
          text: `Prompt with arguments: arg1='${args['arg1']}', arg2='${args['arg2']}'`,
        },
      ];
    case 'test_prompt_with_embedded_resource':
      return [
        embedded(args['resourceUri'] ?? '', 'Embedded resource content for testing.', 'text/plain'),
        { type: 'text', text: 'Please process the embedded resource above.' },
      ];
    case 'test_prompt_with_image':
      return [
        { type: 'image', data: PNG, mimeType: 'image/png' },
        { type: 'text', text: 'Please analyze the image above.' },
      ];
    default:
      return null;
  }
}

function says(text: string): ToolAnswer {
  return { content: [{ type: 'text', text }] };
}

function embedded(uri: string, text: string, mimeType: string): Content {
  return { type: 'resource', resource: { uri, mimeType, text } };
}

function titled(...titles: string[]): { const: string; title: string }[] {
  return titles.map((title, index) => ({ const: `value${index + 1}`, title }));
}

async function asked(call: Call, message: string, properties: JsonObject): Promise<string> {
  if (!call.can('elicitation')) return 'the client cannot ask anybody';
  const { action, content } = await call.ask('elicitation/create', {
    message,
    requestedSchema: { type: 'object', properties, required: [] },
  });
  return `action=${action}, content=${JSON.stringify(content ?? {})}`;
}
