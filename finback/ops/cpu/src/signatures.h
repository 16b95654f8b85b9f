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

// ops.sparse_attention for q [T, H, c], window [before + T, c] and entries [E, c], all FP32 or all BF16, as are out and
// grad, and the gradients like what they are of. selected: [T, K], or K = -1 for all visible entries;
// sink: [H]; stats: [T, H, 2], what the backward pass needs.
void sparse_attention(const void* q, const void* window, const void* entries, const int64_t* selected, const float* sink, bool bf16,
                      int64_t T, int64_t H, int64_t c, int64_t before, int64_t E, int64_t K, int64_t start, int64_t width, int64_t ratio,
                      void* out, float* stats);
void sparse_attention_backward(const void* q, const void* window, const void* entries, const int64_t* selected, const float* sink,
                               bool bf16, int64_t T, int64_t H, int64_t c, int64_t before, int64_t E, int64_t K, int64_t start,
                               int64_t width, int64_t ratio, const void* out, const float* stats, const void* grad, void* dq,
                               void* dwindow, void* dentries, float* dsink);

// ops.entry_mass: the same without `selected`. mass: [T, E].
void entry_mass(const void* q, const void* window, const void* entries, const float* sink, bool bf16, int64_t T, int64_t H, int64_t c,
                int64_t before, int64_t E, int64_t start, int64_t width, int64_t ratio, float* mass);

// ops.index_scores for q [T, H, c], gate [T, H], keys [E, c]. scores, grad: [T, E].
void index_scores(const float* q, const float* gate, const float* keys, int64_t T, int64_t H, int64_t c, int64_t E, float* scores);
void index_scores_backward(const float* q, const float* gate, const float* keys, const float* grad, int64_t T, int64_t H, int64_t c,
                           int64_t E, float* dq, float* dgate, float* dkeys);

// ops.pool_windows for k entries of c channels. u, z: [(k + overlap) * ratio, c * (1 + overlap)]; out, grad: [k, c].
void pool_windows(const float* u, const float* z, int64_t k, int64_t ratio, int64_t c, bool overlap, float* out);
void pool_windows_backward(const float* u, const float* z, const float* out, const float* grad, int64_t k, int64_t ratio, int64_t c,
                           bool overlap, float* du, float* dz);
