// Which logits does llama.cpp compute for given token ids? (llama-bench only times.)
//
//     llama_logits MODEL.gguf IDS.i32 LOGITS.f32 PREFILL UBATCH THREADS
//
// The first PREFILL ids are one batch, the others are decoded one at a time; LOGITS.f32 gets a row for each.
// Flash attention is on and the cache has its default type, as in the timed runs.

#include "llama.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static void need(bool ok, const char * what) {
    if (!ok) {
        fprintf(stderr, "llama_logits: %s\n", what);
        exit(1);
    }
}

int main(int argc, char ** argv) {
    need(argc == 7, "usage: llama_logits MODEL.gguf IDS.i32 LOGITS.f32 PREFILL UBATCH THREADS");
    const int prefill = std::stoi(argv[4]);

    FILE * in = fopen(argv[2], "rb");
    need(in, "the file of ids cannot be read");
    std::vector<llama_token> ids;
    for (llama_token id; fread(&id, sizeof id, 1, in) == 1;) {
        ids.push_back(id);
    }
    fclose(in);
    const int n = (int) ids.size();
    need(0 < prefill && prefill <= n, "PREFILL must be between 1 and the number of ids");

    llama_backend_init();
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    need(model, "the model cannot be loaded");
    llama_context_params params = llama_context_default_params();
    params.n_ctx = n;
    params.n_batch = prefill;
    params.n_ubatch = std::stoi(argv[5]);
    params.n_threads = params.n_threads_batch = std::stoi(argv[6]);
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    llama_context * context = llama_init_from_model(model, params);
    need(context, "the context cannot be made");

    FILE * out = fopen(argv[3], "wb");
    need(out, "the file of logits cannot be written");
    const size_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    llama_batch batch = llama_batch_init(prefill, 0, 1);
    for (int from = 0; from < n; from += batch.n_tokens) {
        batch.n_tokens = from == 0 ? prefill : 1;
        for (int i = 0; i < batch.n_tokens; i++) {
            batch.token[i] = ids[from + i];
            batch.pos[i] = from + i;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = 0;
            batch.logits[i] = 1;
        }
        need(llama_decode(context, batch) == 0, "the forward failed");
        for (int i = 0; i < batch.n_tokens; i++) {
            const size_t written = fwrite(llama_get_logits_ith(context, i), sizeof(float), vocabulary, out);
            need(written == vocabulary, "the disk is full");
        }
    }
    need(fclose(out) == 0, "the disk is full");
    llama_batch_free(batch);
    llama_free(context);
    llama_model_free(model);
}
