import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeGguf } from '@tocsin/backbone';
import { resolveGuard } from '@tocsin/models';

/** The starter guard as the reference reads it: a Hugging Face directory with the weights as float32. */
export async function referenceGuard(dir: string): Promise<string> {
  const { artifact, backbone } = await resolveGuard('starter');
  if (backbone.kind !== 'gguf') throw new Error('the starter guard has a GGUF backbone');
  const model = join(dir, 'model');
  await mkdir(model, { recursive: true });
  const { config } = await placeGguf(
    backbone.file,
    model,
    join(model, 'tokenizer.json'),
    ({ numLayers }) => numLayers - 1,
  );
  await rename(join(model, 'weights-0.safetensors'), join(model, 'model.safetensors'));
  await writeFile(
    join(model, 'config.json'),
    JSON.stringify({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      hidden_size: config.hiddenSize,
      intermediate_size: config.intermediateSize,
      num_hidden_layers: config.numLayers,
      num_attention_heads: config.numHeads,
      num_key_value_heads: config.numKvHeads,
      head_dim: config.headDim,
      rms_norm_eps: config.rmsNormEps,
      vocab_size: config.vocabSize,
      rope_theta: config.rope.theta,
      tie_word_embeddings: true,
    }),
  );
  await writeFile(
    join(model, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', eos_token: '<|im_end|>' }),
  );
  const siren = JSON.parse(await readFile(artifact.config, 'utf8')) as { base_model: { model_id: string } };
  siren.base_model.model_id = model;
  await writeFile(join(dir, 'siren_config.json'), JSON.stringify(siren));
  await copyFile(artifact.weights, join(dir, 'siren.safetensors'));
  return dir;
}
