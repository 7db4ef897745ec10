/** Two versions of `reviews` in `shop`. */
export const reviewsSubsets = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: shop }
spec:
  host: reviews
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;

/** What the sidecars of `shop` listen on. */
export const shopSidecar = `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: shop }
spec:
  egress:
    - port: { number: 9080, protocol: HTTP, name: http }
      captureMode: NONE
      hosts: ["*/*"]
`;
