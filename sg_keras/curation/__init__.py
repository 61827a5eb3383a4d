"""Data sets from people's images: conversion. Functions without flags that print nothing, and without TensorFlow."""
