// The kernels, declared once for each level: this file is included inside namespaces and has no guard.
// Pointers are to contiguous rows unless said otherwise; T tokens, n streams, D hidden size.

// ops.reference.hc_pre for h [T, n, D] FP32, n <= 8. x: [T, D], post: [n, T], comb: [n, n, T].
void hc_pre(const float* h, const float* fn, const float* scale, const float* base, int64_t T, int n, int64_t D, int iters,
            float eps, float norm_eps, float* x, float* post, float* comb);

// A whole forward, or that of MTP block `depth` (else -1) on the streams `given` [T, n, D]. tokens: [T]; segments: [S, 6],
// each the tokens seen before, rows, tokens whose entries stand already, and the addresses of the sequence's fixed buffer, the pool and the table of its
// blocks, which covers its rows; logits: [R, V] of the given rows; streams: [T, n, D] or null.
void forward(finback::Model* model, const int64_t* tokens, int64_t T, const int64_t* segments, int64_t depth,
             const float* given, const int64_t* rows, int64_t R, float* logits, float* streams);
