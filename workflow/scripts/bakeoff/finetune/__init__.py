"""Contrastive fine-tuning: from an encoder and labelled images to another encoder."""
