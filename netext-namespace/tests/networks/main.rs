//! Networks as their guests, their neighbours and operators see them: the executable run as the server runs it.

mod acl;
mod actions;
mod balancer;
mod balancer_access;
mod balancer_life;
mod balancer_udp;
mod concurrency;
mod contract;
mod crash;
mod dualstack;
mod firewall_egress;
mod firewall_ingress;
mod guest_services;
mod instance;
mod isolation;
mod lifecycle;
mod operator_reconcile;
mod operator_status;
mod port_forward;
mod public_segments;
mod refusals;
mod restart;
mod shared_and_l2;
mod source_nat;
mod static_nat;
mod vpc;
